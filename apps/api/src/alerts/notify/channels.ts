import { alertmanager } from './alertmanager.js';
import type { ChannelType } from './channel.js';
import { discord } from './discord.js';
import { email } from './email.js';
import { gotify } from './gotify.js';
import { ntfy } from './ntfy.js';
import { pushover } from './pushover.js';
import { slack } from './slack.js';
import { teams } from './teams.js';
import { telegram } from './telegram.js';
import { webhook } from './webhook.js';

/** All ways to tell somebody. */
export const CHANNEL_TYPES: readonly ChannelType[] = [
  email,
  webhook,
  alertmanager,
  ntfy,
  telegram,
  slack,
  discord,
  teams,
  gotify,
  pushover,
];
