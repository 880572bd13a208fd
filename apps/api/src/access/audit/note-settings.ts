import { settingTexts, type Environment, type SettingGroup } from '@device-metrics/settings';
import type { AuditStore } from '@device-metrics/storage';
import type { SecretBox } from '../sessions/secret-box.js';

const ACTION = 'settings.change';
/** A setting may be long, as lists are. */
const MOST_CHARACTERS = 200;

/**
 * Writes down, at a start, which settings are not what they were at the start before. The details of an entry are all that
 * differ from their defaults; of a secret only that it is set, and a mark that is another one once it changes.
 */
export async function noteSettings(
  audit: AuditStore,
  groups: readonly SettingGroup[],
  environment: Environment,
  box: SecretBox,
  now: number,
): Promise<void> {
  const details: Record<string, string> = {};
  for (const { name, text, isSecret } of settingTexts(groups, environment)) {
    details[name] = isSecret ? `set (${box.markOf(text)})` : text.slice(0, MOST_CHARACTERS);
  }
  const before = (await audit.last(ACTION))?.details ?? {};
  const names = [...new Set([...Object.keys(before), ...Object.keys(details)])].sort();
  const changed = names.filter((name) => before[name] !== details[name]);
  if (changed.length === 0) return;
  const target = changed.join(', ');
  await audit.add({
    at: now,
    actor: 'environment',
    address: 'start',
    action: ACTION,
    target: target.length <= MOST_CHARACTERS ? target : `${changed.length} settings`,
    success: true,
    details,
  });
}
