// Owns what the bot says in French.
import type { CallErrorCode } from '../../call/errors.ts';
import type { Phrases } from './phrases.ts';

const refusals: Readonly<Partial<Record<CallErrorCode, string>>> = {
  startForbidden: 'Votre niveau dans ce salon ne permet pas de lancer un appel. Demandez à un modérateur du salon.',
  forbidden: 'Votre niveau dans ce salon ne le permet pas. Demandez à un modérateur du salon.',
  callEnded: 'Aucun appel n’est en cours.',
  badRequest: 'Ce code n’est pas valable : il est inconnu, déjà utilisé ou expiré. Rechargez la page pour en obtenir un autre.',
  tooManyRequests: 'Trop d’essais. Attendez une minute avant de recommencer.',
  draining: 'Le service redémarre. Réessayez dans une minute.',
  homeserverUnavailable: 'Le serveur de messagerie ne répond pas. Réessayez dans une minute.',
  mediaUnavailable: 'Le service d’appel est indisponible. Réessayez dans une minute.',
};

export const fr: Phrases = {
  widgetName: 'Appel',
  join: 'Rejoindre',
  joinAt: (organisation) => `Rejoindre (${organisation})`,
  inProgress: 'Appel en cours',
  continues: 'Appel en cours (suite)',
  moved: (organisation) => `L’appel continue : voir l’annonce de ${organisation}`,
  impaired: (organisation) => `L’image et le son ne passent plus avec ${organisation}.`,
  ended: 'Appel terminé',
  nobodyYet: 'personne pour l’instant',
  nobodyCame: 'personne n’est venu',
  callPage: 'Page de l’appel',
  people: (count) => (count === 1 ? '1 personne' : `${count} personnes`),
  others: (count) => (count === 1 ? '1 autre organisation' : `${count} autres organisations`),
  duration: (minutes) => (minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')}`),
  underAMinute: 'moins d’une minute',
  widgetForbidden: (bot, level) =>
    `Je n’ai pas le droit d’afficher l’appel dans le salon : un administrateur du salon peut donner à ${bot} le niveau ${level === undefined ? 'nécessaire pour modifier les widgets' : level}.`,
  introduction: (prefix) => `Bonjour ! Écrivez ${prefix} pour lancer un appel dans ce salon, ${prefix} help pour voir ce que je sais faire.`,
  introductionEncrypted: 'Bonjour ! Ce salon est chiffré et je ne sais pas encore lire les messages chiffrés : je n’y répondrai pas. Créez un salon sans chiffrement pour les appels.',
  alreadyRunning: (link) => `Un appel est déjà en cours : ${link}`,
  since: (duration) => `depuis ${duration}`,
  noCall: 'Aucun appel n’est en cours.',
  callEndedByYou: 'L’appel est terminé.',
  languageSet: 'Je parle français dans ce salon.',
  codeTaken: 'C’est noté : la page de votre navigateur continue toute seule.',
  tooOld: 'Votre commande m’est parvenue trop tard, je ne l’ai pas exécutée. Répétez-la si elle est toujours d’actualité.',
  unknownCommand: (prefix) => `Je ne connais pas cette commande. ${prefix} help donne la liste.`,
  usage: (usage) => `Il faut écrire : ${usage}`,
  help: {
    title: 'Ce que je sais faire :',
    start: 'lancer un appel, ou retrouver celui qui est en cours',
    status: 'dire qui est dans l’appel',
    end: 'terminer l’appel pour tous (qui l’a lancé, ou un modérateur)',
    language: 'changer ma langue dans ce salon (qui peut le renommer)',
    code: 'entrer dans l’appel avec le code que votre navigateur affiche',
    help: 'afficher cette aide',
  },
  declined: 'Ce service est réservé à certaines organisations, et votre serveur n’est pas sur leur liste. Adressez-vous à l’administrateur de ce service.',
  onlyBotsLeft: 'Il ne reste que des robots dans ce salon.',
  upgradeNotConfirmed: 'Ce salon ne dit pas qu’il remplace celui qui m’y envoie.',
  refusal: (code, ref) => `${refusals[code] ?? 'Je n’ai pas pu le faire. Réessayez, et signalez cette référence si cela recommence.'} (réf. ${ref})`,
};
