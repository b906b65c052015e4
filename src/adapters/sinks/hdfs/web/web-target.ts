/** Where a WebHDFS client goes, and as whom. */

/** What files are made with: what Hadoop's own client would send. */
export interface FileDefaults {
  /** What a mode loses: 0o022. */
  readonly umask: number;
  /** Undefined: as the NameNode has it. */
  readonly replication: number | undefined;
  readonly blockSizeBytes: number | undefined;
}

/** One HDFS. */
export interface WebTarget {
  /** Before each path, to name it from anywhere: `hdfs://cluster`, `webhdfs://nn:9870`. Without a password. */
  readonly prefix: string;
  /**
   * In the order in which they are tried, without a slash at their ends: `http://nn1:9870`,
   * `https://knox:8443/gateway/default`. Of several the one that is active is found and followed.
   */
  readonly addresses: readonly [string, ...string[]];
  /** For the addresses; no DataNode gets them. */
  readonly credentials?: { readonly user: string; readonly password: string };
  readonly defaults: FileDefaults;
}

/** How. */
export interface WebOptions {
  /** `user.name`. */
  readonly user: string;
  /** `doas`: on whose behalf. */
  readonly proxyUser?: string;
  /** In place of the user: the text of a delegation token, asked for at each call so that it can be renewed. */
  readonly delegationToken?: () => string | undefined;
  /** `hdfs.callTimeout`: for anything to move. */
  readonly callTimeoutMs: number;
  /** `hdfs.datanodeHostMap`: `dn1.internal` or `dn1.internal:9864` → the host, or host and port, to go to instead. */
  readonly datanodeHostMap?: ReadonlyMap<string, string>;
  /** Certificates to believe beside Node's own, PEM. */
  readonly ca?: string;
  /** Called with each address that turns out to be the active one, the first and those after it. */
  readonly onActive?: (address: string) => void;
}
