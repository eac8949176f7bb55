/**
 * For tests: the fakes of loop/, under the name that the tests here use.
 *
 * @module
 */

export * from "../loop/fakes.ts";
