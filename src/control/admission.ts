// Owns who gets in: one admission whatever the door. Verified user → joined in this room now → role → ticket.
import { callError, type CallError } from '../call/errors.ts';
import { serverOf, type CallId, type RoomId, type Slug, type UserId } from '../call/ids.ts';
import type { Identity } from '../call/participant.ts';
import { memberPermissions, roleOf } from '../call/roles.ts';
import type { Call } from '../call/call.ts';
import { err, ok, type Result } from '../util/result.ts';
import type { CallRegistry } from './call-registry.ts';
import type { IdentityVerifier, OpenIdToken } from './ports/identity-verifier.ts';
import type { Observer } from './ports/observer.ts';
import type { RoomDirectory } from './ports/room-directory.ts';
import type { Language } from './ports/room-voice.ts';
import type { Tickets } from './ports/tickets.ts';
import type { RoomBook } from './room-book.ts';
import type { SignInDesk } from './sign-in-desk.ts';

/** How somebody proves who they are. */
export type Proof = { readonly kind: 'openId'; readonly token: OpenIdToken } | { readonly kind: 'signIn'; readonly text: string };

export interface AdmissionRequest {
  readonly proof: Proof;
  /** The room, or the page address that stands for it. */
  readonly at: { readonly kind: 'room'; readonly room: RoomId } | { readonly kind: 'page'; readonly slug: Slug };
  /** Claimed by the client, 1..255 characters: tells sessions of one person apart. */
  readonly device: string;
  /** Whom the client claims to be, and the session's name where it is not user and device: refused unless the proof is that user's. */
  readonly claimed?: { readonly user: UserId; readonly identity: string };
}

export interface Admitted {
  readonly ticket: string;
  /** Where the ticket is good, when that is the bridge of the person's own organisation; undefined: here. */
  readonly url: string | undefined;
  readonly callId: CallId;
  readonly call: Call;
  readonly identity: Identity;
  readonly roomName: string | undefined;
  readonly language: Language;
}

export interface AdmissionOptions {
  readonly verifier: IdentityVerifier;
  readonly signIns: SignInDesk;
  readonly directory: RoomDirectory;
  readonly rooms: RoomBook;
  readonly calls: CallRegistry;
  readonly tickets: Tickets;
  readonly observer: Observer;
  /** A ticket of their own organisation's bridge; undefined: there is none, they come in here. */
  readonly sendHome: (room: RoomId, user: UserId, device: string) => Promise<{ readonly url: string; readonly ticket: string } | undefined>;
}

export class Admission {
  readonly #options: AdmissionOptions;

  constructor(options: AdmissionOptions) {
    this.#options = options;
  }

  /** Refused: identityRejected, signInInvalid, forbidden (not a member, or no such room: the same), startForbidden, draining, homeserverUnavailable. */
  async admit(request: AdmissionRequest): Promise<Result<Admitted, CallError>> {
    const result = await this.#admit(request);
    this.#options.observer.ticketIssued(request.proof.kind, result.ok ? 'issued' : result.error.code);
    return result;
  }

  async #admit({ proof, at, device, claimed }: AdmissionRequest): Promise<Result<Admitted, CallError>> {
    const { directory, rooms, calls, tickets, sendHome } = this.#options;
    const user = await this.#verify(proof);
    if (!user.ok) return user;
    if (claimed !== undefined && claimed.user !== user.value) return err(callError('identityRejected', `${user.value} claims to be ${claimed.user}`));
    const room = at.kind === 'room' ? at.room : rooms.bySlug(at.slug)?.room;
    if (room === undefined) return err(callError('forbidden', 'no such page address'));
    const found = await identityIn(directory, room, user.value, device);
    if (!found.ok) return found;
    const identity = { ...found.value, ...(claimed && { identity: claimed.identity }) };
    const started = await calls.start({ room, by: user.value, eventId: undefined });
    if (!started.ok) return started;
    const { call } = started.value.live;
    const home = await sendHome(room, user.value, device);
    const ticket = home?.ticket ?? (await tickets.mint(call.id, identity));
    return ok({ ticket, url: home?.url, callId: call.id, call, identity, roomName: await directory.name(room), language: rooms.language(room) });
  }

  async #verify(proof: Proof): Promise<Result<UserId, CallError>> {
    return proof.kind === 'openId' ? this.#options.verifier.verify(proof.token) : this.#options.signIns.verify(proof.text);
  }
}

/** Who somebody is in this room now. Refused: forbidden (not joined), homeserverUnavailable. */
export async function identityIn(directory: RoomDirectory, room: RoomId, user: UserId, device: string): Promise<Result<Identity, CallError>> {
  const member = await directory.member(room, user);
  if (!member.ok) return member;
  if (member.value === undefined) return err(callError('forbidden', `${user} is not joined in ${room}`));
  const levels = await directory.powerLevels(room);
  if (!levels.ok) return levels;
  return ok({
    identity: `${user}:${device}`,
    user,
    server: serverOf(user),
    device,
    name: member.value.displayName === '' ? user : member.value.displayName,
    role: roleOf(user, levels.value),
    permissions: memberPermissions,
  });
}
