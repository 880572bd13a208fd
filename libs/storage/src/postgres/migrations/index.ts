import { Said1765300000000 } from '../../sqlite/migrations/1765300000000-said.js';
import { Tables1765200000000 } from './1765200000000-tables.js';

/** In the order in which they run. Those that SQLite has got since are written so that both take them. */
export const migrations = [Tables1765200000000, Said1765300000000];
