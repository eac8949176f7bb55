/**
 * What the end-to-end and interop tests share: processes under test, a SOCKS5
 * client, targets, data.
 *
 * @module
 */

export * from "./access_lines.ts";
export * from "./bytes.ts";
export * from "./config_file.ts";
export * from "./curl.ts";
export * from "./exercises.ts";
export * from "./files.ts";
export * from "./forwarder.ts";
export * from "./http_client.ts";
export * from "./http_origin.ts";
export * from "./libraries.ts";
export * from "./manager_client.ts";
export * from "./mutate.ts";
export * from "./pair.ts";
export * from "./ports.ts";
export * from "./process.ts";
export * from "./role.ts";
export * from "./socks5_client.ts";
export * from "./streams.ts";
export * from "./targets.ts";
export * from "./timeout.ts";
export * from "./udp_echo.ts";
export * from "./make_config.ts";
