// Owns the frame of a widget: its completed address, and the conversation with it (matrix-widget-api) while it is shown.
import { useEffect, useMemo, useRef } from 'react';
import { ClientWidgetApi, type IWidgetApiRequest, Widget as WidgetModel } from 'matrix-widget-api';
import type { Language } from '../i18n/words.ts';
import type { Widget } from '../matrix/room.ts';
import type { RoomClient } from '../matrix/room-client.ts';
import { CallWidgetDriver } from './widget-driver.ts';

interface WidgetFrameProps {
  readonly widget: Widget;
  readonly client: RoomClient;
  readonly language: Language;
  readonly trustedOrigins: readonly string[];
}

const sandbox = 'allow-scripts allow-same-origin allow-forms allow-popups allow-popups-to-escape-sandbox allow-modals allow-downloads';
const features = 'camera; microphone; display-capture; autoplay; clipboard-write; screen-wake-lock; fullscreen; speaker-selection';

function modelOf(widget: Widget, localpart: string): WidgetModel {
  const { content, stateKey, sender } = widget;
  // Messages between frames are told apart by the widget's id alone, and this page shows the same widget to several people.
  return new WidgetModel({ id: `${stateKey}-${localpart}`, type: content.type, url: content.url, creatorUserId: content.creatorUserId ?? sender, ...(content.name !== undefined && { name: content.name }), data: content.data ?? {} });
}

/** The address with its template variables filled in (MSC1236, MSC2873, MSC3819) and what every host adds. */
function addressOf(model: WidgetModel, client: RoomClient, language: Language): string {
  const { session, room } = client.state();
  const url = new URL(
    model.getCompleteUrl({
      widgetRoomId: room.roomId,
      currentUserId: session?.userId ?? '',
      userDisplayName: client.column.displayName,
      deviceId: session?.deviceId ?? '',
      clientId: 'fr.viaduc.demo',
      clientTheme: 'light',
      clientLanguage: language,
      baseUrl: client.column.homeserverUrl,
    }),
  );
  url.searchParams.set('widgetId', model.id);
  url.searchParams.set('parentUrl', location.origin + location.pathname);
  return url.href;
}

export function WidgetFrame({ widget, client, language, trustedOrigins }: WidgetFrameProps) {
  const frame = useRef<HTMLIFrameElement>(null);
  const { url } = widget.content;
  // The same address is the same widget: a state event that repeats it must not load the call anew.
  const shown = useMemo(() => {
    const model = modelOf(widget, client.column.localpart);
    return { model, address: addressOf(model, client, language) };
  }, [url, client]);

  useEffect(() => {
    if (frame.current === null) return undefined;
    const driver = new CallWidgetDriver({ trusted: trustedOrigins.includes(new URL(shown.address).origin), openIdToken: () => client.openIdToken() });
    const api = new ClientWidgetApi(shown.model, frame.current, driver);
    api.on('action:set_always_on_screen', (event: CustomEvent<IWidgetApiRequest>) => {
      event.preventDefault();
      api.transport.reply(event.detail, {});
    });
    return () => api.stop();
  }, [shown, client, trustedOrigins]);

  return <iframe ref={frame} className="call-frame" data-testid="call-frame" title={widget.content.name ?? widget.stateKey} src={shown.address} sandbox={sandbox} allow={features} />;
}
