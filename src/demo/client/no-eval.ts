// Owns a setting that must be made before any schema is: the page's policy forbids eval, by which zod would compile them.
import { config } from 'zod';

config({ jitless: true });
