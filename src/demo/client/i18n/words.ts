// Owns the words of the demo's page, French and English, and how times are written.

const numbersFr: Readonly<Record<number, string>> = { 2: 'Deux', 3: 'Trois' };
const numbersEn: Readonly<Record<number, string>> = { 2: 'Two', 3: 'Three' };

const fr = {
  title: 'Viaduc · démonstration',
  subtitle: (count: number) => `${numbersFr[count] ?? String(count)} organisations, chacune avec son serveur Matrix, un même appel`,
  otherLanguage: 'English',
  connecting: 'Connexion à la messagerie…',
  offline: 'Le serveur de messagerie ne répond pas. Nouvel essai…',
  live: 'Connecté',
  failed: 'La page ne trouve pas la démonstration. Est-elle lancée ?',
  members: (count: number) => (count === 1 ? '1 membre' : `${String(count)} membres`),
  membersTitle: 'Membres du salon',
  invited: 'Invitation envoyée',
  remove: 'Exclure',
  inviteBack: 'Réinviter',
  robot: 'robot',
  you: 'vous',
  close: 'Fermer',
  earlier: 'Messages plus anciens',
  edited: 'modifié',
  deleted: 'Message supprimé',
  sending: 'envoi…',
  notSent: 'Non envoyé',
  again: 'Renvoyer',
  placeholder: (room: string) => `Message dans « ${room} »`,
  send: 'Envoyer',
  hint: (command: string) => `Écrivez ${command} pour lancer un appel.`,
  startCall: 'Lancer un appel',
  callTitle: 'Appel',
  openCall: 'Appel en cours',
  endedCall: 'Appel terminé',
  nobodyYet: 'Personne pour l’instant',
  nobodyCame: 'Personne n’est venu',
  people: (count: number) => (count === 1 ? '1 personne' : `${String(count)} personnes`),
  join: 'Rejoindre',
  shown: 'Ouvert ci-dessus',
  startedBy: (name: string, time: string) => `Lancé par ${name} à ${time}`,
  lasted: (minutes: number) => (minutes < 1 ? 'moins d’une minute' : minutes < 60 ? `${String(minutes)} min` : `${String(Math.floor(minutes / 60))} h ${String(minutes % 60).padStart(2, '0')}`),
  larger: 'Agrandir',
  smaller: 'Réduire',
  leavePanel: 'Fermer l’appel',
  joined: (name: string) => `${name} a rejoint le salon`,
  left: (name: string) => `${name} a quitté le salon`,
  wasInvited: (name: string, by: string) => `${by} a invité ${name}`,
  declined: (name: string) => `${name} a décliné l’invitation`,
  kicked: (name: string, by: string) => `${by} a exclu ${name}`,
  banned: (name: string, by: string) => `${by} a banni ${name}`,
  created: (name: string) => `${name} a créé le salon`,
  gone: 'Vous n’êtes plus dans ce salon.',
  goneBy: (by: string) => `${by} vous a exclu de ce salon.`,
  acceptInvitation: 'Accepter l’invitation',
  today: 'Aujourd’hui',
  yesterday: 'Hier',
};

const en: Words = {
  title: 'Viaduc · demonstration',
  subtitle: (count) => `${numbersEn[count] ?? String(count)} organisations, each with its Matrix homeserver, one call`,
  otherLanguage: 'Français',
  connecting: 'Connecting to the homeserver…',
  offline: 'The homeserver does not answer. Trying again…',
  live: 'Connected',
  failed: 'The page cannot find the demo. Is it running?',
  members: (count) => (count === 1 ? '1 member' : `${String(count)} members`),
  membersTitle: 'Members of the room',
  invited: 'Invitation sent',
  remove: 'Remove',
  inviteBack: 'Invite again',
  robot: 'bot',
  you: 'you',
  close: 'Close',
  earlier: 'Earlier messages',
  edited: 'edited',
  deleted: 'Message deleted',
  sending: 'sending…',
  notSent: 'Not sent',
  again: 'Send again',
  placeholder: (room) => `Message “${room}”`,
  send: 'Send',
  hint: (command) => `Type ${command} to start a call.`,
  startCall: 'Start a call',
  callTitle: 'Call',
  openCall: 'Call in progress',
  endedCall: 'Call ended',
  nobodyYet: 'Nobody yet',
  nobodyCame: 'Nobody came',
  people: (count) => (count === 1 ? '1 person' : `${String(count)} people`),
  join: 'Join',
  shown: 'Open above',
  startedBy: (name, time) => `Started by ${name} at ${time}`,
  lasted: (minutes) => (minutes < 1 ? 'less than a minute' : minutes < 60 ? `${String(minutes)} min` : `${String(Math.floor(minutes / 60))} h ${String(minutes % 60).padStart(2, '0')}`),
  larger: 'Enlarge',
  smaller: 'Make smaller',
  leavePanel: 'Close the call',
  joined: (name) => `${name} joined the room`,
  left: (name) => `${name} left the room`,
  wasInvited: (name, by) => `${by} invited ${name}`,
  declined: (name) => `${name} declined the invitation`,
  kicked: (name, by) => `${by} removed ${name}`,
  banned: (name, by) => `${by} banned ${name}`,
  created: (name) => `${name} created the room`,
  gone: 'You are no longer in this room.',
  goneBy: (by) => `${by} removed you from this room.`,
  acceptInvitation: 'Accept the invitation',
  today: 'Today',
  yesterday: 'Yesterday',
};

export type Words = typeof fr;
export type Language = 'fr' | 'en';

const localeOf = { fr: 'fr-FR', en: 'en-GB' } as const;

export function wordsOf(language: Language): Words {
  return language === 'fr' ? fr : en;
}

export function timeText(timestampMs: number, language: Language): string {
  return new Intl.DateTimeFormat(localeOf[language], { hour: '2-digit', minute: '2-digit' }).format(timestampMs);
}

export function dayText(timestampMs: number, nowMs: number, language: Language): string {
  const words = wordsOf(language);
  const day = (ms: number): string => new Date(ms).toDateString();
  if (day(timestampMs) === day(nowMs)) return words.today;
  if (day(timestampMs) === day(nowMs - 86_400_000)) return words.yesterday;
  return new Intl.DateTimeFormat(localeOf[language], { weekday: 'long', day: 'numeric', month: 'long' }).format(timestampMs);
}
