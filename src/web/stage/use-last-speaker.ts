// Owns who spoke last, calm enough to put them on the large place.
import { useEffect, useState } from 'react';
import { type Participant, RoomEvent } from 'livekit-client';
import { useServices } from '../services.ts';

const calmMs = 1500;

/** The identity of the other person who last spoke for more than a moment. */
export function useLastSpeaker(): string | undefined {
  const { room } = useServices();
  const [lastSpeaker, setLastSpeaker] = useState<string>();
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let waiting: string | undefined;
    const onSpeakers = (speakers: Participant[]): void => {
      const loudest = speakers.find((speaker) => !speaker.isLocal)?.identity;
      if (loudest === waiting) return;
      waiting = loudest;
      clearTimeout(timer);
      if (loudest !== undefined) timer = setTimeout(() => setLastSpeaker(loudest), calmMs);
    };
    room.on(RoomEvent.ActiveSpeakersChanged, onSpeakers);
    return () => {
      clearTimeout(timer);
      room.off(RoomEvent.ActiveSpeakersChanged, onSpeakers);
    };
  }, [room]);
  return lastSpeaker;
}
