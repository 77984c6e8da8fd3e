// Owns telling the person, by notice and by screen reader, who comes, goes and shares.
import { useEffect } from 'react';
import { ConnectionState, type Participant, type RemoteParticipant, type RemoteTrackPublication, RoomEvent, Track } from 'livekit-client';
import { useServices, useTranslate } from '../services.ts';
import { createArrivals } from './arrivals.ts';
import { labelFor, personOf } from './people.ts';

const crowd = 15; // In a larger call comings and goings are noise.

const nameOf = (participant: Participant): string => labelFor(personOf(participant));

export function useAnnouncements(): void {
  const { notices, room } = useServices();
  const t = useTranslate();
  useEffect(() => {
    const say = (text: string): void => {
      if (room.remoteParticipants.size < crowd) notices.say(text);
    };
    const arrivals = createArrivals({
      joined(identity) {
        const participant = room.remoteParticipants.get(identity);
        if (participant !== undefined) say(t('call.joined', { name: nameOf(participant) }));
      },
      left: (name) => say(t('call.left', { name })),
      later(run, ms) {
        const timer = setTimeout(run, ms);
        return () => clearTimeout(timer);
      },
    });
    const onJoined = ({ identity }: RemoteParticipant): void => arrivals.onJoined(identity);
    const onLeft = (participant: RemoteParticipant): void => arrivals.onLeft(participant.identity, nameOf(participant));
    const onState = (state: ConnectionState): void => {
      if (state === ConnectionState.Connected) arrivals.onConnected(room.remoteParticipants.keys());
      else arrivals.onConnectionLost();
    };
    const onPublished = (publication: RemoteTrackPublication, participant: RemoteParticipant): void => {
      if (publication.source === Track.Source.ScreenShare) say(t('call.shares', { name: nameOf(participant) }));
    };
    onState(room.state);
    room.on(RoomEvent.ParticipantConnected, onJoined);
    room.on(RoomEvent.ParticipantDisconnected, onLeft);
    room.on(RoomEvent.ConnectionStateChanged, onState);
    room.on(RoomEvent.TrackPublished, onPublished);
    return () => {
      arrivals.dispose();
      room.off(RoomEvent.ParticipantConnected, onJoined);
      room.off(RoomEvent.ParticipantDisconnected, onLeft);
      room.off(RoomEvent.ConnectionStateChanged, onState);
      room.off(RoomEvent.TrackPublished, onPublished);
    };
  }, [notices, room, t.language]);
}
