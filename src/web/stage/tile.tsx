// Owns how one person, or one shared screen, looks on the stage.
import { type CSSProperties, type ReactNode, useMemo } from 'react';
import { isTrackReference, type TrackReferenceOrPlaceholder, useIsMuted, useIsSpeaking, useParticipantAttributes, useParticipantInfo, VideoTrack } from '@livekit/components-react';
import { Track } from 'livekit-client';
import { useTranslate } from '../services.ts';
import { Icon } from '../ui/icon.tsx';
import { colourOf, initialsOf, labelFor, personOf } from './people.ts';
import { Quality } from './quality.tsx';
import type { StageTile } from './tiles.ts';

interface TileProps {
  readonly tile: StageTile;
  readonly enlarged: boolean;
  readonly onEnlarge: (key: string | undefined) => void;
  readonly style?: CSSProperties;
}

function Picture({ trackRef, mirrored }: { readonly trackRef: TrackReferenceOrPlaceholder; readonly mirrored: boolean }): ReactNode {
  if (!isTrackReference(trackRef)) return null;
  return <VideoTrack trackRef={trackRef} className={mirrored ? 'mirrored' : ''} />;
}

function Avatar({ name, userId }: { readonly name: string; readonly userId: string }): ReactNode {
  return <div className="avatar" data-colour={colourOf(userId)} aria-hidden="true">{initialsOf(name)}</div>;
}

export function Tile({ tile, enlarged, onEnlarge, style }: TileProps): ReactNode {
  const t = useTranslate();
  const { trackRef, isScreen, isLocal } = tile;
  const { participant } = trackRef;
  const { name } = useParticipantInfo({ participant });
  const { attributes } = useParticipantAttributes({ participant });
  const person = personOf({ identity: participant.identity, name, attributes: attributes ?? {} });
  const speaking = useIsSpeaking(participant);
  const microphone = useMemo(() => ({ participant, source: Track.Source.Microphone }), [participant]);
  const silent = useIsMuted(microphone);
  const dark = useIsMuted(trackRef) || trackRef.publication?.track === undefined;
  const label = isLocal && !isScreen ? `${person.name} (${t('call.you')})` : labelFor(person);
  const caption = isScreen ? t('tile.screen', { name: person.name }) : label;
  return (
    <article
      className="tile"
      style={style}
      title={person.userId}
      aria-label={[caption, person.userId, !isScreen && silent ? t('tile.muted') : ''].filter(Boolean).join(', ')}
      data-testid="tile"
      data-identity={tile.identity}
      data-source={isScreen ? 'screen_share' : 'camera'}
      data-speaking={speaking && !isScreen}
      data-muted={silent}
      data-video={!dark}
    >
      <Avatar name={person.name} userId={person.userId} />
      {!dark && <Picture trackRef={trackRef} mirrored={isLocal && !isScreen} />}
      <div className="tile-foot">
        <span className="tile-name">
          {!isScreen && silent && <Icon name="microphone-off" />}
          {isScreen && <Icon name="screen" />}
          <span className="tile-text">{caption}</span>
        </span>
        {!isScreen && <Quality participant={participant} />}
      </div>
      <button
        type="button"
        className="tile-enlarge"
        aria-label={enlarged ? t('tile.reduce') : t('tile.enlarge', { name: caption })}
        aria-pressed={enlarged}
        onClick={() => onEnlarge(enlarged ? undefined : tile.key)}
      >
        <Icon name={enlarged ? 'reduce' : 'enlarge'} />
      </button>
    </article>
  );
}
