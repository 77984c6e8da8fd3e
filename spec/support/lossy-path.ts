// Owns a UDP path between two pipes that loses packets: each side sends to a door of ours, which sends on from the other side's door.
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { PeerMessage } from '../../src/control/ports/peer-links.ts';

interface Door {
  readonly socket: Socket;
  /** The pipe behind it; known once its side has told where it is. */
  pipePort: number | undefined;
  packets: number;
}

export class LossyPath implements AsyncDisposable {
  /** Every so many packets one is lost; 0: none. */
  loseEvery = 0;
  lost = 0;
  readonly #doors = new Map<string, Door>();

  static async open(sides: readonly string[]): Promise<LossyPath> {
    const path = new LossyPath();
    for (const side of sides) await path.#open(side);
    return path;
  }

  /** Says that the sender's pipe is at a door of ours. */
  redirect(message: PeerMessage, from: string): PeerMessage {
    const door = this.#doors.get(from);
    if (message.type !== 'media' || door === undefined) return message;
    door.pipePort = message.port;
    return { ...message, port: door.socket.address().port };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#doors.values()].map(async ({ socket }) => {
      const closed = once(socket, 'close');
      socket.close();
      await closed;
    }));
  }

  async #open(side: string): Promise<void> {
    const door: Door = { socket: createSocket('udp4'), pipePort: undefined, packets: 0 };
    this.#doors.set(side, door);
    // What arrives at this door is for the pipe behind it, and must seem to come from the other side's door.
    door.socket.on('message', (packet) => {
      const other = [...this.#doors].find(([name]) => name !== side)?.[1];
      door.packets += 1;
      if (this.loseEvery > 0 && door.packets % this.loseEvery === 0) {
        this.lost += 1;
        return;
      }
      if (other !== undefined && door.pipePort !== undefined) other.socket.send(packet, door.pipePort, '127.0.0.1');
    });
    door.socket.bind(0, '127.0.0.1');
    await once(door.socket, 'listening');
  }
}
