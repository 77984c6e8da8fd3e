// Owns the choice of one device from a list, before the call.
import { type ReactNode, useId } from 'react';
import { useTranslate } from '../services.ts';
import { deviceName } from '../media/device-name.ts';

interface DeviceSelectProps {
  readonly kind: 'camera' | 'microphone' | 'speaker';
  readonly devices: readonly MediaDeviceInfo[];
  readonly chosen: string | undefined;
  readonly onChoose: (deviceId: string) => void;
  readonly children?: ReactNode;
}

export function DeviceSelect({ kind, devices, chosen, onChoose, children }: DeviceSelectProps): ReactNode {
  const t = useTranslate();
  const id = useId();
  const known = devices.some((device) => device.deviceId === chosen);
  return (
    <div className="field">
      <label htmlFor={id}>{t(`device.${kind}`)}</label>
      <div className="field-row">
        <select
          id={id}
          className="select"
          data-testid={`select-${kind}`}
          value={known ? chosen : devices[0]?.deviceId ?? ''}
          disabled={devices.length === 0}
          onChange={(event) => onChoose(event.currentTarget.value)}
        >
          {devices.length === 0 && <option value="">{t('device.none')}</option>}
          {devices.map((device, index) => <option key={device.deviceId} value={device.deviceId}>{deviceName(t, kind, device.label, index)}</option>)}
        </select>
        {children}
      </div>
    </div>
  );
}
