/**
 * What operators talk to: the manager protocol, and what they read: the access
 * log.
 *
 * @module
 */

export * from "./access_log.ts";
export type { ControlAddress } from "./control_socket.ts";
export * from "./manager.ts";
export type { ManagerDialect } from "./manager_request.ts";
export * from "./port_traffic.ts";
