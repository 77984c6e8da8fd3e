// Owns counting RTP packets on the border by what is not encrypted of them: stream and sequence number (RFC 3550 §5.1).
import type { MediaBorder } from './proxy/media-border.ts';

interface Stream {
  readonly seen: Set<number>;
  packets: number;
}

/** RFC 5761 §4: these are payload types of RTCP. */
export function isRtcp(packet: Buffer): boolean {
  const type = packet[1] ?? 0;
  return type >= 192 && type <= 223;
}

export class RtpCount {
  readonly #streams = new Map<string, Stream>();
  readonly #end: () => void;

  constructor(border: MediaBorder) {
    this.#end = border.watch((from, to, packet) => {
      if (packet.length < 12 || isRtcp(packet)) return;
      const key = `${from} ${to} ${packet.readUInt32BE(8)}`;
      const stream = this.#streams.get(key) ?? { seen: new Set<number>(), packets: 0 };
      stream.packets += 1;
      stream.seen.add(packet.readUInt16BE(2));
      this.#streams.set(key, stream);
    });
  }

  /** RTP packets from one side to another. */
  packets(from: number, to: number): number {
    return this.#of(from, to).reduce((total, { packets }) => total + packets, 0);
  }

  /** Packets that crossed more than once. */
  repeated(from: number, to: number): number {
    return this.#of(from, to).reduce((total, { packets, seen }) => total + packets - seen.size, 0);
  }

  end(): void {
    this.#end();
  }

  #of(from: number, to: number): readonly Stream[] {
    return [...this.#streams].flatMap(([key, stream]) => (key.startsWith(`${from} ${to} `) ? [stream] : []));
  }
}
