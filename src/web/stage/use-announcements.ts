// Owns telling the person, by notice and by screen reader, who comes, goes and shares.
import { useEffect } from 'react';
import { ConnectionState, type Participant, type RemoteParticipant, type RemoteTrackPublication, RoomEvent, Track } from 'livekit-client';
import { useServices, useTranslate } from '../services.ts';
import { createArrivals } from './arrivals.ts';
import { labelFor, personOf } from './people.ts';

const crowd = 15; // In a larger call comings and goings are noise.

const later = (run: () => void, ms: number): (() => void) => {
  const timer = setTimeout(run, ms);
  return () => clearTimeout(timer);
};

const nameOf = (participant: Participant): string => labelFor(personOf(participant));

export function useAnnouncements(): void {
  const { notices, room } = useServices();
  const t = useTranslate();
  useEffect(() => {
    const say = (text: string): void => {
      if (room.remoteParticipants.size < crowd) notices.say(text);
    };
    const sayOf = (key: 'call.joined' | 'call.shares') => (identity: string): void => {
      const participant = room.remoteParticipants.get(identity);
      if (participant !== undefined) say(t(key, { name: nameOf(participant) }));
    };
    const people = createArrivals({ joined: sayOf('call.joined'), left: (name) => say(t('call.left', { name })), later });
    const screens = createArrivals({ joined: sayOf('call.shares'), left: () => undefined, later });
    const onJoined = ({ identity }: RemoteParticipant): void => people.onJoined(identity);
    const onLeft = (participant: RemoteParticipant): void => people.onLeft(participant.identity, nameOf(participant));
    const onPublished = ({ source }: RemoteTrackPublication, { identity }: RemoteParticipant): void => {
      if (source === Track.Source.ScreenShare) screens.onJoined(identity);
    };
    const onUnpublished = ({ source }: RemoteTrackPublication, { identity }: RemoteParticipant): void => {
      if (source === Track.Source.ScreenShare) screens.onLeft(identity, '');
    };
    const onState = (state: ConnectionState): void => {
      if (state === ConnectionState.Connected) {
        const all = [...room.remoteParticipants.values()];
        people.onConnected(all.map(({ identity }) => identity));
        screens.onConnected(all.filter((participant) => participant.isScreenShareEnabled).map(({ identity }) => identity));
        return;
      }
      people.onConnectionLost();
      screens.onConnectionLost();
    };
    onState(room.state);
    room.on(RoomEvent.ParticipantConnected, onJoined);
    room.on(RoomEvent.ParticipantDisconnected, onLeft);
    room.on(RoomEvent.ConnectionStateChanged, onState);
    room.on(RoomEvent.TrackPublished, onPublished);
    room.on(RoomEvent.TrackUnpublished, onUnpublished);
    return () => {
      people.dispose();
      screens.dispose();
      room.off(RoomEvent.ParticipantConnected, onJoined);
      room.off(RoomEvent.ParticipantDisconnected, onLeft);
      room.off(RoomEvent.ConnectionStateChanged, onState);
      room.off(RoomEvent.TrackPublished, onPublished);
      room.off(RoomEvent.TrackUnpublished, onUnpublished);
    };
  }, [notices, room, t.language]);
}
