/** The part of net-snmp that is used here; the package brings no types. */
declare module 'net-snmp' {
  export interface Varbind {
    readonly oid: string;
    readonly type: number;
    readonly value: unknown;
  }
  export interface Session {
    get(oids: readonly string[], done: (error: Error | null, varbinds: Varbind[]) => void): void;
    /** One list of varbinds for each OID. */
    getBulk(
      oids: readonly string[],
      nonRepeaters: number,
      maxRepetitions: number,
      done: (error: Error | null, varbinds: Varbind[][]) => void,
    ): void;
    on(event: 'error', listener: (error: Error) => void): void;
    /** Ends the requests that wait, with this error. */
    cancelRequests(error: Error): void;
    close(): void;
  }
  export interface User {
    readonly name: string;
    readonly level: number;
    readonly authProtocol?: number;
    readonly authKey?: string;
    readonly privProtocol?: number;
    readonly privKey?: string;
  }
  export interface Agent {
    getMib(): {
      registerProvider(definition: object): void;
      addTableRow(table: string, row: readonly unknown[]): void;
      setScalarValue(name: string, value: unknown): void;
      setTableSingleCell(table: string, column: number, index: readonly unknown[], value: unknown): void;
    };
    getAuthorizer(): { addCommunity(community: string): void; addUser(user: User): void };
    close(done?: () => void): void;
  }
  const snmp: {
    readonly Version2c: number;
    readonly Version3: number;
    readonly ObjectType: Readonly<Record<string, number>>;
    readonly MibProviderType: { readonly Scalar: number; readonly Table: number };
    readonly MaxAccess: Readonly<Record<string, number>>;
    readonly SecurityLevel: { readonly noAuthNoPriv: number; readonly authNoPriv: number; readonly authPriv: number };
    readonly AuthProtocols: Readonly<Record<string, number>>;
    readonly PrivProtocols: Readonly<Record<string, number>>;
    createSession(target: string, community: string, options: object): Session;
    createV3Session(target: string, user: User, options: object): Session;
    createAgent(options: object, onProblem: (error: Error | null, data: unknown) => void): Agent;
    isVarbindError(varbind: Varbind): boolean;
  };
  export default snmp;
}
