// Port: the leave events that clients have left with our homeserver, to be sent unless somebody puts them off (MSC4140). Implemented by matrix/.

export interface DelayedLeaves {
  /** Its delay begins anew. */
  putOff(delayId: string): Promise<DelayedLeaveAnswer>;
  /** It is sent now. */
  send(delayId: string): Promise<DelayedLeaveAnswer>;
}

/** `gone`: the homeserver has no such event any more: it was sent, or taken back. */
export type DelayedLeaveAnswer =
  | { readonly kind: 'done' }
  | { readonly kind: 'gone' }
  | { readonly kind: 'later'; readonly retryAfterMs: number | undefined; readonly detail: string };
