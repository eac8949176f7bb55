/**
 * The server side of a connection: the client's stream begins with the address
 * of the target.
 *
 * ```text
 * salt ‖ {chunk…}      plaintext: ATYP(1) ADDR(4|16|1+n) PORT(2) ‖ payload…
 * ```
 *
 * With the bit 0x10 in ATYP a tag follows the header, and the payload comes in
 * tagged chunks: see `ota.ts`.
 *
 * The address may lie in any number of chunks and segments. Until it is whole
 * and authentic the server answers nothing at all: whoever fails is read and
 * thrown away until the deadline that counts from accept, so that neither the
 * moment nor the manner of closing tells how many bytes were looked at.
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";
import { DECRYPT_FAILED } from "../crypto/mod.ts";
import type { SocketAddress } from "../loop/mod.ts";
import { parseAddress, type ParsedAddress } from "../socks5/mod.ts";
import { isAuthentic, ONETIMEAUTH_BYTES, OneTimeDecoder } from "./ota.ts";
import { ALLOW_ONE_TIME_AUTH, ipTarget } from "./ip_target.ts";
import { TCPRelayHandler } from "./tcp_relay_handler.ts";

const logger = getLogger(["shadowsocks", "relay"]);

/** A connection of the server. */
export class ServerHandler extends TCPRelayHandler {
  /** The client sends ciphertext. */
  protected readonly encryptsUpstream = false;
  /** Plaintext of a header that is not whole yet. */
  #header: Uint8Array | undefined;
  #answered = false;

  /** Decrypts until the header is whole. */
  protected onHandshakeRead(data: Uint8Array): void {
    const { output } = this.relay.buffers;
    const { cryptor, upstream } = this;
    const length = cryptor.decrypt(data, output);
    if (length === DECRYPT_FAILED || cryptor.failed) {
      this.onDecryptFailed();
      return;
    }
    upstream.carry = cryptor.consumed < data.length
      ? data.slice(cryptor.consumed)
      : undefined;
    if (length === 0) return;
    const plain = this.#withHeader(output.subarray(0, length));
    const address = parseAddress(plain, ALLOW_ONE_TIME_AUTH);
    switch (address.status) {
      case "need-more":
        this.#header = plain.slice();
        return;
      case "invalid":
        logger.warn(
          "unsupported addrtype {type}, maybe wrong password or encryption method",
          { type: address.type },
        );
        this.#refuse();
        return;
      case "ok":
        this.#onAddress(plain, address);
    }
  }

  /** Seals an answer; the salts are of no use after the first. */
  protected override encrypt(
    stream: number,
    plaintext: Uint8Array,
    length: number,
  ): number {
    const count = super.encrypt(stream, plaintext, length);
    if (!this.#answered) {
      this.#answered = true;
      this.cryptor.forgetSalts();
    }
    return count;
  }

  /** Refuses the client without a sign. */
  protected onDecryptFailed(): void {
    this.#refuse();
  }

  /** Aborts: the client shall not take it for a clean end. */
  onConnectFailed(code: string): void {
    logger.debug("cannot connect to {name}: {code}", {
      name: this.remoteName,
      code,
    });
    this.destroy({ reset: true });
  }

  /** Refuses the networks of `forbidden_ip`. */
  override isAllowed(address: SocketAddress): boolean {
    if (!this.relay.settings.forbiddenIp.contains(address.bytes)) return true;
    logger.error(
      "IP {ip} is in forbidden list, reject, when handling connection from {client}",
      { ip: address.host, client: this.clientName },
    );
    return false;
  }

  #onAddress(plain: Uint8Array, address: ParsedAddress): void {
    const { length } = address;
    if (!address.oneTimeAuth) {
      if (this.relay.settings.oneTimeAuth) {
        logger.warn("client one time auth is required");
        this.#refuse();
        return;
      }
      this.#onTarget(plain, address, plain.subarray(length));
      return;
    }
    const end = length + ONETIMEAUTH_BYTES;
    if (plain.length < end) {
      this.#header = plain.slice();
      return;
    }
    const iv = this.cryptor.peerSalt!;
    const { masterKey } = this.relay.settings.suite;
    const tag = plain.subarray(length, end);
    if (!isAuthentic(plain.subarray(0, length), tag, { iv, masterKey })) {
      logger.warn("one time auth fail");
      this.#refuse();
      return;
    }
    this.upstream.transform = new OneTimeDecoder({
      iv,
      onDrop: () => {
        logger.warn(
          "one time auth fail, drop chunk ! connection from {client}",
          {
            client: this.clientName,
          },
        );
      },
    });
    const payload = this.upstream.transformed(
      plain.subarray(end),
      this.relay.buffers.scratch,
    );
    this.#onTarget(plain, address, payload);
  }

  #onTarget(
    plain: Uint8Array,
    address: ParsedAddress,
    payload: Uint8Array,
  ): void {
    this.#header = undefined;
    const { streamSalts } = this.relay.settings.suite;
    // Now that the client is authentic, its salt counts, and so does the one
    // of the answer, which must not come back as a request.
    if (!streamSalts.add(this.cryptor.peerSalt!)) {
      logger.warn("replay of a connection that was served before");
      this.#refuse();
      return;
    }
    streamSalts.add(this.cryptor.salt!);
    this.relay.endHandshake(this);
    if (payload.length > 0) this.upstream.pending = payload.slice();
    const { port } = address;
    const ip = ipTarget(plain, address);
    this.remoteName = ip === undefined ? `${address.domain}:${port}` : `${ip}`;
    logger.info("connecting {name} from {client}", () => ({
      name: this.remoteName,
      client: this.clientName,
    }));
    if (ip === undefined) this.connect(address.domain, port);
    else this.connectTo(ip);
  }

  /** One line that scripts which ban attackers look for, and silence. */
  #refuse(): void {
    logger.error(
      "can not parse header when handling connection from {client}",
      { client: this.clientName },
    );
    this.#header = undefined;
    this.drain();
  }

  #withHeader(plain: Uint8Array): Uint8Array {
    const header = this.#header;
    if (header === undefined) return plain;
    const joined = new Uint8Array(header.length + plain.length);
    joined.set(header);
    joined.set(plain, header.length);
    return joined;
  }
}
