// Owns the picture of one's own camera before the call.
import { type ReactNode, useEffect, useRef } from 'react';
import type { Preview } from '../media/use-preview.ts';
import { useTranslate } from '../services.ts';
import { Icon } from '../ui/icon.tsx';

function OwnPicture({ stream }: { readonly stream: MediaStream }): ReactNode {
  const t = useTranslate();
  const video = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    if (video.current !== null) video.current.srcObject = stream;
  }, [stream]);
  return <video ref={video} className="mirrored" autoPlay playsInline muted aria-label={t('prejoin.preview')} />;
}

export function CameraPreview({ preview }: { readonly preview: Preview }): ReactNode {
  const t = useTranslate();
  if (preview.kind === 'on') return <OwnPicture stream={preview.stream} />;
  return (
    <div className="preview-empty">
      <Icon name={preview.kind === 'starting' ? 'camera' : 'camera-off'} />
      <span>{t(preview.kind === 'starting' ? 'prejoin.camera-starting' : 'prejoin.camera-off')}</span>
    </div>
  );
}
