// Owns decrypting what crosses the border, with the keys that the bridges told each other: SRTP and SRTCP of AEAD_AES_256_GCM (RFC 7714).
import { createCipheriv, createDecipheriv } from 'node:crypto';
import { isRtcp } from './rtp-count.ts';

const keyLength = 32;
const saltLength = 12;
const tagLength = 16;
/** RFC 3711 §4.3.2, and the labels for SRTCP. */
const labels = { rtpKey: 0, rtpSalt: 2, rtcpKey: 3, rtcpSalt: 5 } as const;
const halfSequence = 0x8000;

export interface Opened {
  readonly isRtcp: boolean;
  /** What is readable on the way: the RTP header with its extensions. */
  readonly head: Buffer;
  readonly payload: Buffer;
}

/** One direction of one pipe. */
export class SrtpReader {
  readonly #rtp: { readonly key: Buffer; readonly salt: Buffer };
  readonly #rtcp: { readonly key: Buffer; readonly salt: Buffer };
  readonly #rollovers = new Map<number, { roc: number; last: number }>();

  /** @param master key and salt in base64, as in `media` of the cascade. */
  constructor(master: string) {
    const bytes = Buffer.from(master, 'base64');
    if (bytes.length !== keyLength + saltLength) throw new Error(`a master key of ${bytes.length} bytes`);
    const derive = (label: number, length: number): Buffer => derived(bytes.subarray(0, keyLength), bytes.subarray(keyLength), label, length);
    this.#rtp = { key: derive(labels.rtpKey, keyLength), salt: derive(labels.rtpSalt, saltLength) };
    this.#rtcp = { key: derive(labels.rtcpKey, keyLength), salt: derive(labels.rtcpSalt, saltLength) };
  }

  /** undefined: it was not encrypted with this key. */
  open(packet: Buffer): Opened | undefined {
    try {
      return isRtcp(packet) ? this.#openRtcp(packet) : this.#openRtp(packet);
    } catch {
      return undefined;
    }
  }

  #openRtp(packet: Buffer): Opened {
    const headLength = rtpHeadLength(packet);
    const head = packet.subarray(0, headLength);
    const [sequence, ssrc] = [packet.readUInt16BE(2), packet.readUInt32BE(8)];
    const iv = Buffer.alloc(saltLength);
    iv.writeUInt32BE(ssrc, 2);
    iv.writeUInt32BE(this.#roc(ssrc, sequence), 6);
    iv.writeUInt16BE(sequence, 10);
    return { isRtcp: false, head, payload: decrypt(this.#rtp, iv, head, packet.subarray(headLength)) };
  }

  /** RFC 7714 §9: the index with its encryption flag follows the tag. */
  #openRtcp(packet: Buffer): Opened {
    const head = packet.subarray(0, 8);
    const index = packet.subarray(packet.length - 4);
    if ((index.readUInt8(0) & 0x80) === 0) return { isRtcp: true, head, payload: packet.subarray(8, packet.length - 4) };
    const iv = Buffer.alloc(saltLength);
    iv.writeUInt32BE(packet.readUInt32BE(4), 2);
    iv.writeUInt32BE(index.readUInt32BE(0) & 0x7f_ff_ff_ff, 8);
    return { isRtcp: true, head, payload: decrypt(this.#rtcp, iv, Buffer.concat([head, index]), packet.subarray(8, packet.length - 4)) };
  }

  /** How often the sequence numbers of a stream have begun anew (RFC 3711 §3.3.1); we see each stream from its start. */
  #roc(ssrc: number, sequence: number): number {
    const known = this.#rollovers.get(ssrc) ?? { roc: 0, last: sequence };
    if (known.last - sequence > halfSequence) known.roc += 1;
    const isOld = sequence - known.last > halfSequence;
    if (!isOld) known.last = sequence;
    this.#rollovers.set(ssrc, known);
    return isOld ? known.roc - 1 : known.roc;
  }
}

function decrypt({ key, salt }: { readonly key: Buffer; readonly salt: Buffer }, iv: Buffer, head: Buffer, sealed: Buffer): Buffer {
  for (let index = 0; index < saltLength; index += 1) iv[index] = (iv[index] ?? 0) ^ (salt[index] ?? 0);
  const cipher = createDecipheriv('aes-256-gcm', key, iv);
  cipher.setAAD(head);
  cipher.setAuthTag(sealed.subarray(sealed.length - tagLength));
  return Buffer.concat([cipher.update(sealed.subarray(0, sealed.length - tagLength)), cipher.final()]);
}

/** RFC 6188 §3: AES-256 in counter mode; the salt of twelve bytes is filled up to fourteen (RFC 7714 §11). */
function derived(key: Buffer, salt: Buffer, label: number, length: number): Buffer {
  const iv = Buffer.alloc(16);
  salt.copy(iv, 0);
  iv[7] = (iv[7] ?? 0) ^ label;
  return createCipheriv('aes-256-ctr', key, iv).update(Buffer.alloc(length));
}

function rtpHeadLength(packet: Buffer): number {
  const first = packet.readUInt8(0);
  const fixed = 12 + 4 * (first & 0x0f);
  return (first & 0x10) === 0 ? fixed : fixed + 4 + 4 * packet.readUInt16BE(fixed + 2);
}
