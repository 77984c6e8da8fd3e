// Owns a page that hosts Element Call, as a Matrix client does: a widget in a frame, fed from one room.
import '../no-eval.ts';
import { ClientEvent, type MatrixEvent, MatrixEventEvent, RoomStateEvent } from 'matrix-js-sdk';
import { ClientWidgetApi, type IWidgetApiRequest, Widget } from 'matrix-widget-api';
import { effective, HostDriver } from './host-driver.ts';
import { type Parameters, readParameters } from './parameters.ts';
import { openSession } from './session.ts';

const features = 'camera; microphone; display-capture; autoplay; clipboard-write; screen-wake-lock; fullscreen; speaker-selection';
const widgetId = 'element-call';
/** Requests of the widget that its host has nothing to do about but to answer. */
const acknowledged = ['io.element.join', 'im.vector.hangup', 'io.element.close', 'io.element.device_mute', 'set_always_on_screen'];

function addressOf({ user, device, homeserver, room, mode, lang }: Parameters): string {
  const query = new URLSearchParams({
    widgetId,
    parentUrl: location.origin + location.pathname,
    userId: user,
    deviceId: device,
    baseUrl: homeserver,
    roomId: room,
    lang,
    theme: 'light',
    intent: 'join_existing',
    skipLobby: 'true',
    confineToRoom: 'true',
    perParticipantE2EE: 'true',
  }).toString();
  return `${location.origin}/element-call/${mode}/index.html?${query}#?${query}`;
}

const place = document.getElementById('host');
if (place === null) throw new Error('element-call.html has no #host');
try {
  const parameters = readParameters(location.hash);
  const { client, room } = await openSession(parameters);
  const url = addressOf(parameters);
  const frame = document.createElement('iframe');
  frame.allow = features;
  frame.name = 'element-call';
  frame.style.cssText = 'position: fixed; inset: 0; width: 100%; height: 100%; border: 0';
  place.append(frame);
  const api = new ClientWidgetApi(new Widget({ id: widgetId, creatorUserId: parameters.user, type: 'm.call', url, waitForIframeLoad: false, data: {} }), frame, new HostDriver(client, room));
  api.setViewedRoomId(room.roomId);
  for (const action of acknowledged) {
    api.on(`action:${action}`, (event: CustomEvent<IWidgetApiRequest>) => {
      event.preventDefault();
      api.transport.reply(event.detail, action === 'set_always_on_screen' ? { success: true } : {});
    });
  }
  const fault = (error: unknown): void => console.error('the widget could not be told', error);
  const feed = (event: MatrixEvent): void => {
    if (event.getRoomId() === room.roomId && !event.isDecryptionFailure()) api.feedEvent(effective(event)).catch(fault);
  };
  client.on(ClientEvent.Event, (event) => {
    if (!event.isEncrypted()) feed(event);
  });
  client.on(MatrixEventEvent.Decrypted, feed);
  client.on(RoomStateEvent.Events, (event) => {
    if (event.getRoomId() === room.roomId) api.feedStateUpdate(effective(event)).catch(fault);
  });
  client.on(ClientEvent.ReceivedToDeviceMessage, ({ message, encryptionInfo }) => {
    api.feedToDevice(message, encryptionInfo !== null).catch(fault);
  });
  frame.src = url;
} catch (error) {
  place.textContent = String(error);
  throw error;
}
