/** A query that is not answered, and why: what the person who asks can change is `field`, by its name in the call. */
export class QueryRefusal extends Error {
  override readonly name = 'QueryRefusal';

  /** @param reason goes on after the name of the field, as in `must be …, got …`. */
  constructor(
    readonly field: string,
    readonly reason: string,
  ) {
    super(`${field} ${reason}`);
  }
}
