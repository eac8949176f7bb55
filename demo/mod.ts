/**
 * The demo: a server and a local on loopback in one process, real traffic
 * through both, and what to type to use them.
 *
 * @module
 */

export { type DemoOptions, runDemo } from "./demo.ts";
