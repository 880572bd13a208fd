/** Tags as a person writes them, `room=lab, rack=2`. @throws Error for one that is none. */
export function tagsOf(text: string): Record<string, string> {
  const pairs = listOf(text);
  const wrong = pairs.find((pair) => pair.indexOf('=') < 1);
  if (wrong !== undefined) throw new Error(`A tag is name=value, got ${wrong}.`);
  return Object.fromEntries(
    pairs.map((pair): [string, string] => {
      const equals = pair.indexOf('=');
      return [pair.slice(0, equals).trim(), pair.slice(equals + 1).trim()];
    }),
  );
}

/** What has commas between. */
export const listOf = (text: string): string[] =>
  text
    .split(',')
    .map((item) => item.trim())
    .filter(Boolean);

export const tagsText = (tags: Readonly<Record<string, string>> | null): string =>
  Object.entries(tags ?? {})
    .map(([name, value]) => `${name}=${value}`)
    .join(', ');

/** The devices that something is for: by name, by tags, or all. */
export function Scope({
  devices,
  tags,
}: {
  readonly devices?: readonly string[] | null;
  readonly tags: Readonly<Record<string, string>> | null;
}) {
  const shown = [...(devices ?? []), ...Object.entries(tags ?? {}).map(([name, value]) => `${name}=${value}`)];
  if (shown.length === 0) return <span className="soft">all</span>;
  return shown.map((each) => (
    <bdi className="tag" key={each} title={each}>
      {each}
    </bdi>
  ));
}
