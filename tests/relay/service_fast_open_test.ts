/**
 * TCP fast open over real sockets, on both sides.
 *
 * @module
 */

import { servicesTest } from "../faults/_services.ts";
import {
  echoPieces,
  halfCloseByClient,
  request as requestMany,
  serverFirst,
} from "../support/mod.ts";

servicesTest(
  "Service relays with fast open",
  async (services) => {
    const { localPort } = services;
    await requestMany(localPort, { count: 20, parallel: 5 });
    await echoPieces(localPort, [1, 1000, 100_000]);
    await halfCloseByClient(localPort);
    await serverFirst(localPort);
  },
  { both: { fastOpen: true } },
);
