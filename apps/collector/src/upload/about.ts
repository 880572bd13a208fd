import { readFileSync } from 'node:fs';

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  readonly version: string;
};

/** What a collector says of itself to the api. */
export const aboutThisCollector = (): { version: string; platform: string } => ({
  version,
  platform: `${process.platform} ${process.arch}`,
});
