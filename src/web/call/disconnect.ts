// Owns what a disconnection means for the person: to be mended silently, or an end with its own words. No DOM.

/** How a call ends for this page. */
export type Ending = 'left' | 'removed' | 'elsewhere' | 'ended';

/**
 * @param reason the name of LiveKit's DisconnectReason, or undefined when the connection just went.
 * @returns 'rejoin' when the page must come back by itself.
 */
export function meaningOfDisconnect(reason: string | undefined): Ending | 'rejoin' {
  switch (reason) {
    case 'CLIENT_INITIATED':
      return 'left';
    case 'DUPLICATE_IDENTITY':
      return 'elsewhere';
    case 'PARTICIPANT_REMOVED':
    case 'USER_REJECTED':
      return 'removed';
    case 'ROOM_DELETED':
    case 'ROOM_CLOSED':
      return 'ended';
    default:
      return 'rejoin';
  }
}
