/**
 * The fake network, for the tests of every folder: sockets, poller, clock and
 * loop without a system. Product code does not import it.
 *
 * ```ts
 * const net = new FakeNet();
 * const listener = net.poller.listenTcp(SocketAddress.parse("127.0.0.1", 0));
 * net.loop.add(listener, POLL_IN, handler);
 * const client = listener.arrive(); // the test is the client
 * client.bring(bytes);
 * await net.settle(); // handlers run until nothing is ready
 * client.sent; // what they have answered
 * ```
 *
 * @module
 */

export * from "./_fake_clock.ts";
export * from "./_fake_datagram.ts";
export * from "./_fake_listener.ts";
export * from "./_fake_net.ts";
export * from "./_fake_poller.ts";
export * from "./_fake_socket.ts";
export * from "./_fake_stream.ts";
