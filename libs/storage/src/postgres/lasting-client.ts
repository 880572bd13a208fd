import pg from 'pg';

/**
 * A client of the driver tells by an event, too, that its connection broke, and an event that nobody hears ends the process. A pool
 * does not listen while it makes a new connection ready, nor where one has just been given away.
 */
export class LastingClient extends pg.Client {
  constructor(config?: pg.ClientConfig) {
    super(config);
    this.on('error', () => undefined);
  }
}
