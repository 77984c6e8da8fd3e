// Owns the call inside the room: the widget's frame under a title, larger or smaller.
import { useState } from 'react';
import type { Widget } from '../matrix/room.ts';
import type { RoomClient } from '../matrix/room-client.ts';
import { WidgetFrame } from '../widget/widget-frame.tsx';
import { Icon } from './icon.tsx';
import { usePage } from './page-context.ts';

interface CallPanelProps {
  readonly client: RoomClient;
  readonly widget: Widget;
  readonly onClose: () => void;
}

export function CallPanel({ client, widget, onClose }: CallPanelProps) {
  const { info, language, words } = usePage();
  const [large, setLarge] = useState(false);
  return (
    <section className="call-panel" data-large={large} data-testid="call-panel" aria-label={words.callTitle}>
      <header>
        <Icon name="camera" />
        <h3>{widget.content.name ?? words.callTitle}</h3>
        <button type="button" className="plain-button" data-testid="call-panel-size" aria-label={large ? words.smaller : words.larger} title={large ? words.smaller : words.larger} onClick={() => setLarge(!large)}>
          <Icon name={large ? 'smaller' : 'larger'} />
        </button>
        <button type="button" className="plain-button" data-testid="call-panel-close" aria-label={words.leavePanel} title={words.leavePanel} onClick={onClose}>
          <Icon name="close" />
        </button>
      </header>
      <WidgetFrame widget={widget} client={client} language={language} trustedOrigins={info.callOrigins} />
    </section>
  );
}
