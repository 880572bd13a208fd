export default function Device() {
  return <h1>…</h1>;
}
