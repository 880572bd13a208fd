/** What the text of a setting may be, and what it becomes. */
export interface SettingType<T> {
  /** What is allowed, as it stands after "must be": kind, unit and range, such as `a duration from 100ms to 24h, as in 10s`. */
  readonly allowed: string;
  /** The value of a text without space at its ends; undefined where it is not allowed. */
  parse(text: string): T | undefined;
}

/** One setting, declared once: it is read, checked and documented from here alone. */
export interface Setting<T = unknown> {
  /** The variable of the environment. */
  readonly name: string;
  readonly type: SettingType<T>;
  /** What counts where the variable is absent or empty, written as in `.env`. Without it the value is then undefined. */
  readonly default?: string;
  /** What the documentation says in place of a default that differs by machine. */
  readonly defaultMeans?: string;
  /** What it is for, as one sentence without its full stop. */
  readonly meaning: string;
  /** The value shows nowhere, and `<name>_FILE` may name a file that holds it. */
  readonly secret?: boolean;
}

/** The settings of one part of an app, by the name of the property that gets the value. */
export type SettingGroup = Readonly<Record<string, Setting>>;

/** What reading a group gives. */
export type SettingValues<Group extends SettingGroup> = {
  readonly [Key in keyof Group]: Group[Key] extends { readonly type: SettingType<infer T> }
    ? Group[Key] extends { readonly default: string }
      ? T
      : T | undefined
    : never;
};
