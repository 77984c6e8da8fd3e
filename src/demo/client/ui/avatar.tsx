// Owns the disc that stands for somebody: initials in the colour of their organisation, a camera for the bot.
import { Icon } from './icon.tsx';
import { organisationIndex, usePage } from './page-context.ts';

interface AvatarProps {
  readonly userId: string;
  readonly name: string;
}

export function Avatar({ userId, name }: AvatarProps) {
  const page = usePage();
  if (page.info.botUserIds.includes(userId)) return <span className="avatar avatar-bot" aria-hidden="true"><Icon name="camera" /></span>;
  const initials = name.split(/\s+/).map((word) => word.slice(0, 1)).slice(0, 2).join('').toUpperCase();
  return <span className="avatar" data-organisation={organisationIndex(page, userId)} aria-hidden="true">{initials}</span>;
}
