// Owns where one writes: Enter sends, Shift+Enter starts a line, and a button types the command for a call.
import { type KeyboardEvent, useState } from 'react';
import type { RoomClient } from '../matrix/room-client.ts';
import { Icon } from './icon.tsx';
import { usePage } from './page-context.ts';

interface ComposerProps {
  readonly client: RoomClient;
  readonly roomName: string;
}

export function Composer({ client, roomName }: ComposerProps) {
  const { info, words } = usePage();
  const [text, setText] = useState('');
  const send = (): void => {
    const body = text.trim();
    if (body === '') return;
    setText('');
    void client.say(body);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    send();
  };
  return (
    <form className="composer" onSubmit={(event) => { event.preventDefault(); send(); }}>
      <div className="composer-field">
        <textarea
          rows={Math.min(5, text.split('\n').length)}
          value={text}
          placeholder={words.placeholder(roomName)}
          aria-label={words.placeholder(roomName)}
          data-testid="composer"
          onChange={(event) => setText(event.target.value)}
          onKeyDown={onKeyDown}
        />
        <button type="submit" className="send" aria-label={words.send} title={words.send} data-testid="send-button" disabled={text.trim() === ''}><Icon name="send" /></button>
      </div>
      <p className="hint">{words.hint(info.command)}</p>
    </form>
  );
}
