/**
 * A rule for `deno lint`: the template of a log line is a constant. The log
 * counts floods by it, and a text of a peer in it would be read as a template.
 *
 * @module
 */

/** The methods of a logger that take a template. */
const LEVELS: ReadonlySet<string> = new Set([
  "trace",
  "debug",
  "info",
  "warn",
  "warning",
  "error",
  "fatal",
]);

/** Tests may log what they like. */
const TESTS = /_test\.ts$|\/tests\//;

const MESSAGE =
  "The template of a log line must be a constant: give what varies as properties";

/** The plugin, named in `lint.plugins` of deno.json. */
const plugin: Deno.lint.Plugin = {
  name: "log-templates",
  rules: {
    constant: {
      create(context): Deno.lint.LintVisitor {
        if (TESTS.test(context.filename)) return {};
        return {
          CallExpression(node): void {
            const template = node.arguments[0];
            if (!isLog(node) || template === undefined) return;
            if (isConstant(template, context.sourceCode.getAncestors(node))) {
              return;
            }
            context.report({ node: template, message: MESSAGE });
          },
        };
      },
    },
  },
};

// Deno takes plugins as the default export of their file.
export default plugin;

/** Whether it is `logger.warn(…)`, with any name that ends in "logger". */
function isLog({ callee }: Deno.lint.CallExpression): boolean {
  if (callee.type !== "MemberExpression") return false;
  const { object, property } = callee;
  const owner = object.type === "MemberExpression" ? object.property : object;
  const isLogger = (owner.type === "Identifier" ||
    owner.type === "PrivateIdentifier") && /logger$/i.test(owner.name);
  return isLogger && property.type === "Identifier" &&
    LEVELS.has(property.name);
}

/** Whether it has the same few values at every run. */
function isConstant(
  node: Deno.lint.Node,
  ancestors: readonly Deno.lint.Node[],
): boolean {
  switch (node.type) {
    case "Literal":
      return true;
    case "TemplateLiteral":
      return node.expressions.length === 0;
    case "BinaryExpression":
      return isConstant(node.left, ancestors) &&
        isConstant(node.right, ancestors);
    case "ConditionalExpression":
      return isConstant(node.consequent, ancestors) &&
        isConstant(node.alternate, ancestors);
    case "Identifier": {
      const value = valueOf(node.name, ancestors);
      return value !== undefined && isConstant(value, ancestors);
    }
    default:
      return false;
  }
}

/** What a `const` around the call was given; undefined: it is none. */
function valueOf(
  name: string,
  ancestors: readonly Deno.lint.Node[],
): Deno.lint.Node | undefined {
  for (const scope of ancestors.toReversed()) {
    if (scope.type !== "BlockStatement" && scope.type !== "Program") continue;
    for (const statement of scope.body) {
      if (statement.type !== "VariableDeclaration") continue;
      for (const { id, init } of statement.declarations) {
        if (id.type !== "Identifier" || id.name !== name) continue;
        return statement.kind === "const" ? init ?? undefined : undefined;
      }
    }
  }
  return undefined;
}
