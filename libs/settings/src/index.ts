export type { Setting, SettingGroup, SettingType, SettingValues } from './setting.js';
export { bytes, bytesFrom, duration, flag, integer, oneOf, path, text, url } from './types.js';
export { readEnvironment, readIfThere, readSettings, settingTexts, type Environment } from './read.js';
export {
  commandLine,
  environmentOfThisProcess,
  environmentOfTrial,
  isInstalled,
  isOnTrial,
  settingsFile,
  updatesFolder,
} from './command-line.js';
export { webAddressMistake } from './web-address.js';
export { unheeded } from './unheeded.js';
export { isTerminalGone, outliveReaders } from './terminal.js';
export { serviceManager, type ServiceManager } from './service-manager.js';
export { Mistakes, SettingsError } from './mistakes.js';
export { envExample, settingRows, type DocumentedSettings } from './document.js';
