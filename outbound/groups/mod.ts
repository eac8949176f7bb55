/**
 * Groups of outbounds, the health of their members and the probes that tell it;
 * loaded where there are groups.
 *
 * @module
 */

export * from "./build_groups.ts";
export * from "./group.ts";
export * from "./health.ts";
export * from "./http_prober.ts";
export * from "./probe_schedule.ts";
export * from "./prober.ts";
export * from "./strategy.ts";
export * from "./timing.ts";
export * from "./watched_outbound.ts";
export * from "./member.ts";
