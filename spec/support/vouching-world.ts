// Owns the homeservers of specs as the second means of introduction sees them: whose token is whose, and where bridges are published to be.
import { callError } from '../../src/call/errors.ts';
import { serverOf, type ServerName, type UserId } from '../../src/call/ids.ts';
import type { VouchingOptions } from '../../src/cascade/vouched.ts';
import { speakerOf } from '../../src/control/ports/voucher.ts';
import { Secret } from '../../src/log/logger.ts';
import { err, ok } from '../../src/util/result.ts';

export class VouchingWorld {
  /** Every question to a homeserver and every look for a bridge, in order. */
  readonly asked: string[] = [];
  readonly tokens = new Map<string, UserId>();
  readonly published = new Map<ServerName, URL>();
  /** Homeservers that do not answer. */
  readonly down = new Set<ServerName>();
  /** Awaited before a homeserver answers. */
  delay: () => Promise<void> = () => Promise.resolve();

  of(server: ServerName, change: Partial<VouchingOptions> = {}): VouchingOptions {
    const speaker = speakerOf('visio', server);
    this.tokens.set(this.tokenOf(server), speaker);
    return {
      voucher: {
        token: () => Promise.resolve(new Secret(this.tokenOf(server))),
        verify: async ({ accessToken, matrixServerName }) => {
          this.asked.push(`${server} asks ${matrixServerName} whose token`);
          await this.delay();
          const user = this.tokens.get(accessToken);
          if ([...this.down].some((name) => name === matrixServerName)) return err(callError('homeserverUnavailable', `${matrixServerName} is down`));
          if (user === undefined || serverOf(user) !== matrixServerName) return err(callError('identityRejected', `${matrixServerName} answered 401`));
          return ok(user);
        },
        bridgeOf: (name) => {
          this.asked.push(`${server} looks for the bridge of ${name}`);
          return Promise.resolve(ok(this.published.get(name)));
        },
      },
      speakerOf: (name) => speakerOf('visio', name),
      urlOf: () => undefined,
      ...change,
    };
  }

  /** Of that server's speaker. */
  tokenOf(server: ServerName): string {
    return `secret-token-of-${server}`;
  }
}
