export type { Setting, SettingGroup, SettingType, SettingValues } from './setting.js';
export { bytes, duration, flag, integer, oneOf, path, text, url } from './types.js';
export { readEnvironment, readIfThere, readSettings, type Environment } from './read.js';
export { Mistakes, SettingsError } from './mistakes.js';
export { envExample, settingRows, type DocumentedSettings } from './document.js';
