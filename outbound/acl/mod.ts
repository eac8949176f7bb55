/**
 * The rules of ACL files; loaded where there is one.
 *
 * @module
 */

export * from "./acl.ts";
export * from "./parser.ts";
