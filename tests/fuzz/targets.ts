/**
 * Everything that is fuzzed.
 *
 * @module
 */

import { CONFIG_TARGETS } from "./_config_targets.ts";
import { DNS_TARGETS } from "./_dns_targets.ts";
import { PACKET_TARGETS } from "./_packet_targets.ts";
import { PROXY_TARGETS } from "./_proxy_targets.ts";
import { STREAM_TARGETS } from "./_stream_targets.ts";
import type { FuzzTarget } from "./_target.ts";

/** Codecs and readers: bytes in, values out; a million inputs in minutes. */
export const CODEC_TARGETS: readonly FuzzTarget[] = [
  ...STREAM_TARGETS,
  ...PACKET_TARGETS,
  ...PROXY_TARGETS,
  ...DNS_TARGETS,
  ...CONFIG_TARGETS,
];

/** All of them. */
export const ALL_TARGETS: readonly FuzzTarget[] = CODEC_TARGETS;
