// Owns the screen of a running call and what its keys do.
import { type ReactNode, useEffect, useState } from 'react';
import { RoomContext, useConnectionState } from '@livekit/components-react';
import { ConnectionState } from 'livekit-client';
import { background } from '../background.ts';
import type { CallState } from '../call/call-session.ts';
import { useServices, useTranslate } from '../services.ts';
import { CallHead } from './call-head.tsx';
import { ConnectionBanner } from './connection-banner.tsx';
import { ControlBar } from './control-bar.tsx';
import { HelpDialog } from './help-dialog.tsx';
import { PeoplePanel } from './people-panel.tsx';
import { SoundGate } from './sound-gate.tsx';
import { Stage } from './stage.tsx';
import { useAnnouncements } from './use-announcements.ts';
import { useOnAir } from './use-on-air.ts';
import { useScreenShare } from './use-screen-share.ts';
import { useShortcuts } from './use-shortcuts.ts';
import { useStageView } from './use-stage-view.ts';
import { useWakeLock } from './use-wake-lock.ts';

type Running = Extract<CallState, { readonly kind: 'in-call' | 'rejoining' }>;
interface CallPageProps {
  readonly state: Running;
  readonly organisation: string;
}

function Call({ state, organisation }: CallPageProps): ReactNode {
  const { room, session, widget } = useServices();
  const t = useTranslate();
  const connected = useConnectionState(room) === ConnectionState.Connected && state.kind === 'in-call';
  const onAir = useOnAir();
  const share = useScreenShare(connected, state.kind === 'rejoining');
  const view = useStageView();
  const [peopleOpen, setPeopleOpen] = useState(false);
  const [helpOpen, setHelpOpen] = useState(false);
  useAnnouncements();
  useWakeLock();
  useEffect(() => {
    widget?.stayOnScreen(true);
    return () => widget?.stayOnScreen(false);
  }, [widget]);
  useEffect(() => {
    document.title = state.ticket.room_name ?? t('page.title');
  }, [state.ticket.room_name, t.language]);
  useShortcuts((action) => {
    const actions = {
      microphone: () => onAir.toggle('microphone'),
      camera: () => onAir.toggle('camera'),
      share: () => { if (share.possible && connected) share.toggle(); },
      people: () => setPeopleOpen(!peopleOpen),
      layout: view.toggle,
      help: () => setHelpOpen(true),
    };
    actions[action]();
  });
  return (
    <main className="call" data-testid="call">
      <CallHead ticket={state.ticket} organisation={organisation} />
      <div className="call-middle">
        <ConnectionBanner connected={connected} attempts={state.kind === 'rejoining' ? state.attempt : 0} />
        <SoundGate />
        <Stage view={view} connected={connected} />
        {peopleOpen && <PeoplePanel onClose={() => setPeopleOpen(false)} />}
      </div>
      <ControlBar
        onAir={onAir}
        share={share}
        connected={connected}
        view={view.view}
        peopleOpen={peopleOpen}
        onPeople={() => setPeopleOpen(!peopleOpen)}
        onLayout={view.toggle}
        onHelp={() => setHelpOpen(true)}
        onLeave={() => background(session.leave(), 'leaving')}
      />
      {helpOpen && <HelpDialog onClose={() => setHelpOpen(false)} />}
    </main>
  );
}

export function CallPage(props: CallPageProps): ReactNode {
  const { room } = useServices();
  return (
    <RoomContext value={room}>
      <Call {...props} />
    </RoomContext>
  );
}
