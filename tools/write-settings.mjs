/** Writes what the code says of the settings into `.env.example` and into the table of README.md; run by `npm run settings`. */
import { readFileSync, writeFileSync } from 'node:fs';
import { envExample, settingRows } from '@device-metrics/settings';
import { apiSettingGroups } from '../apps/api/dist/settings.js';
import { collectorSettingGroups } from '../apps/collector/dist/config/settings.js';

const documented = { api: apiSettingGroups, collector: collectorSettingGroups };
writeFileSync('.env.example', envExample(documented));

const readme = readFileSync('README.md', 'utf8');
const rows = settingRows(documented).map((cells) => `| ${cells.join(' | ')} |\n`);
const table = `| setting | default | allowed | meaning |\n| - | - | - | - |\n${rows.join('')}`;
writeFileSync(
  'README.md',
  readme.replace(/(?<=\n## Settings\n[^|]*)(\|.*\n)+/, () => table),
);
