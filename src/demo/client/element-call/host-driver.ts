// Owns what Element Call may do by its host: everything that it asks for, in one room, as the person whose device the host is.
import { EventTimeline, type MatrixClient, type MatrixEvent, type Room, type StateEvents, type TimelineEvents } from 'matrix-js-sdk';
import { type Capability, type IOpenIDUpdate, type IReadEventRelationsResult, type IRoomEvent, type IRtcTransportsResult, type ISendDelayedEventDetails, type ISendEventDetails, OpenIDRequestState, type SimpleObservable, WidgetDriver } from 'matrix-widget-api';
import { z } from 'zod';

type Payload = Parameters<NonNullable<ReturnType<MatrixClient['getCrypto']>>['encryptToDeviceMessages']>[2];

const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null;
const roomEventSchema = z.custom<IRoomEvent>(isObject);
const transportsSchema = z.custom<IRtcTransportsResult['rtc_transports']>((value) => Array.isArray(value));
const payloadSchema = z.custom<Payload>(isObject);
// The library knows the types of events that it knows; a host passes on all of them.
const stateType = z.custom<keyof StateEvents>((value) => typeof value === 'string');
const timelineType = z.custom<keyof TimelineEvents>((value) => typeof value === 'string');
const stateContent = z.custom<StateEvents[keyof StateEvents]>(isObject);
const timelineContent = z.custom<TimelineEvents[keyof TimelineEvents]>(isObject);

export class HostDriver extends WidgetDriver {
  readonly #client: MatrixClient;
  readonly #room: Room;

  constructor(client: MatrixClient, room: Room) {
    super();
    this.#client = client;
    this.#room = room;
  }

  override validateCapabilities(requested: Set<Capability>): Promise<Set<Capability>> {
    return Promise.resolve(requested);
  }

  override getKnownRooms(): string[] {
    return [this.#room.roomId];
  }

  override async sendEvent(type: string, content: unknown, stateKey: string | null = null): Promise<ISendEventDetails> {
    const { roomId } = this.#room;
    const sent = stateKey === null
      ? await this.#client.sendEvent(roomId, timelineType.parse(type), timelineContent.parse(content))
      : await this.#client.sendStateEvent(roomId, stateType.parse(type), stateContent.parse(content), stateKey);
    return { roomId, eventId: sent.event_id };
  }

  override async sendStickyEvent(stickyMs: number, type: string, content: unknown): Promise<ISendEventDetails> {
    const { roomId } = this.#room;
    const sent = await this.#client._unstable_sendStickyEvent(roomId, stickyMs, null, timelineType.parse(type), timelineContent.parse(content));
    return { roomId, eventId: sent.event_id };
  }

  override async sendDelayedEvent(delay: number, type: string, content: unknown, stateKey: string | null = null): Promise<ISendDelayedEventDetails> {
    const { roomId } = this.#room;
    const sent = stateKey === null
      ? await this.#client._unstable_sendDelayedEvent(roomId, { delay }, null, timelineType.parse(type), timelineContent.parse(content))
      : await this.#client._unstable_sendDelayedStateEvent(roomId, { delay }, stateType.parse(type), stateContent.parse(content), stateKey);
    return { roomId, delayId: sent.delay_id };
  }

  override async sendDelayedStickyEvent(delay: number, stickyMs: number, type: string, content: unknown): Promise<ISendDelayedEventDetails> {
    const { roomId } = this.#room;
    const sent = await this.#client._unstable_sendStickyDelayedEvent(roomId, stickyMs, { delay }, null, timelineType.parse(type), timelineContent.parse(content));
    return { roomId, delayId: sent.delay_id };
  }

  override async cancelScheduledDelayedEvent(delayId: string): Promise<void> {
    await this.#client._unstable_cancelScheduledDelayedEvent(delayId);
  }

  override async restartScheduledDelayedEvent(delayId: string): Promise<void> {
    await this.#client._unstable_restartScheduledDelayedEvent(delayId);
  }

  override async sendScheduledDelayedEvent(delayId: string): Promise<void> {
    await this.#client._unstable_sendScheduledDelayedEvent(delayId);
  }

  override async sendToDevice(type: string, encrypted: boolean, messages: Readonly<Record<string, Readonly<Record<string, object>>>>): Promise<void> {
    const crypto = this.#client.getCrypto();
    for (const [userId, devices] of Object.entries(messages)) {
      for (const [deviceId, payload] of Object.entries(devices)) {
        if (encrypted && crypto !== undefined) await this.#client.queueToDevice(await crypto.encryptToDeviceMessages(type, [{ userId, deviceId }], payloadSchema.parse(payload)));
        else await this.#client.queueToDevice({ eventType: type, batch: [{ userId, deviceId, payload: payloadSchema.parse(payload) }] });
      }
    }
  }

  override readRoomTimeline(_roomId: string, type: string, _msgtype: string | undefined, stateKey: string | undefined, limit: number): Promise<IRoomEvent[]> {
    const events = this.#room.getLiveTimeline().getEvents().filter((event) => event.getType() === type && (stateKey === undefined || event.getStateKey() === stateKey));
    return Promise.resolve(events.slice(-limit).map(effective));
  }

  override readRoomState(_roomId: string, type: string, stateKey: string | undefined): Promise<IRoomEvent[]> {
    const state = this.#room.getLiveTimeline().getState(EventTimeline.FORWARDS);
    const found = state?.getStateEvents(type).filter((event) => stateKey === undefined || event.getStateKey() === stateKey) ?? [];
    return Promise.resolve(found.map(effective));
  }

  override readStickyEvents(): Promise<IRoomEvent[]> {
    return Promise.resolve([...this.#room._unstable_getStickyEvents()].map(effective));
  }

  override readEventRelations(): Promise<IReadEventRelationsResult> {
    return Promise.resolve({ chunk: [] });
  }

  override askOpenID(observer: SimpleObservable<IOpenIDUpdate>): void {
    this.#client.getOpenIdToken().then(
      (token) => observer.update({ state: OpenIDRequestState.Allowed, token }),
      () => observer.update({ state: OpenIDRequestState.Blocked }),
    );
  }

  override async getRtcTransports(): Promise<IRtcTransportsResult> {
    return { rtc_transports: transportsSchema.parse(await this.#client._unstable_getRTCTransports()) };
  }

  override async *getTurnServers(): AsyncGenerator<never> {
    // The bridge tells its own.
  }

  override processError(): undefined {
    return undefined;
  }
}

/** As the widget reads it: in clear. */
export function effective(event: MatrixEvent): IRoomEvent {
  return roomEventSchema.parse(event.getEffectiveEvent());
}
