// Owns reading the messages of a WebSocket connection from its bytes, as they pass (RFC 6455). Without compression, which the cascade never uses.

const headEnd = '\r\n\r\n';

/** One direction of one connection. */
export class WebSocketReader {
  #bytes = Buffer.alloc(0);
  #hasHead = true;
  #parts: Buffer[] = [];

  /** Texts that are complete with these bytes; the first is the HTTP head. */
  read(bytes: Buffer): readonly string[] {
    this.#bytes = Buffer.concat([this.#bytes, bytes]);
    const texts: string[] = [];
    if (this.#hasHead) {
      const end = this.#bytes.indexOf(headEnd);
      if (end < 0) return [];
      texts.push(this.#bytes.subarray(0, end).toString('latin1'));
      this.#bytes = this.#bytes.subarray(end + headEnd.length);
      this.#hasHead = false;
    }
    for (let text = this.#frame(); text !== undefined; text = this.#frame()) if (text !== '') texts.push(text);
    return texts;
  }

  /** The next frame's text; empty: none of its own; undefined: more bytes are needed. */
  #frame(): string | undefined {
    const bytes = this.#bytes;
    if (bytes.length < 2) return undefined;
    const [first, second] = [bytes.readUInt8(0), bytes.readUInt8(1)];
    const isMasked = (second & 0x80) !== 0;
    const short = second & 0x7f;
    const lengthBytes = short === 126 ? 2 : short === 127 ? 8 : 0;
    const payloadAt = 2 + lengthBytes + (isMasked ? 4 : 0);
    if (bytes.length < payloadAt) return undefined;
    const length = short === 126 ? bytes.readUInt16BE(2) : short === 127 ? Number(bytes.readBigUInt64BE(2)) : short;
    if (bytes.length < payloadAt + length) return undefined;
    const mask = isMasked ? bytes.subarray(payloadAt - 4, payloadAt) : Buffer.alloc(4);
    const payload = Buffer.from(bytes.subarray(payloadAt, payloadAt + length));
    for (let index = 0; index < payload.length; index += 1) payload[index] = (payload[index] ?? 0) ^ (mask[index % 4] ?? 0);
    this.#bytes = bytes.subarray(payloadAt + length);
    const opcode = first & 0x0f;
    // Pings and pongs come between the parts of a message.
    if (opcode >= 8) return payload.toString('latin1');
    this.#parts.push(payload);
    if ((first & 0x80) === 0) return '';
    const text = Buffer.concat(this.#parts).toString('utf8');
    this.#parts = [];
    return text;
  }
}
