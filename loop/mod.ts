/**
 * The event loop, its pollers and its sockets.
 *
 * @module
 */

export * from "./address.ts";
export * from "./cidr.ts";
export * from "./clock.ts";
export * from "./descriptors.ts";
export * from "./event_loop.ts";
export * from "./events.ts";
export * from "./fair_shares.ts";
export * from "./fd_table.ts";
export * from "./forbidden.ts";
export * from "./ip.ts";
export * from "./linked_list.ts";
export type * from "./poller.ts";
export * from "./socket.ts";
export { Timer } from "./timers.ts";
export * from "./unix.ts";
export * from "./zone.ts";
export * from "./choose.ts";
