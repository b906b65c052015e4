/** The calls of fs-native-extensions 1.5 the engine uses; the package carries no types. */
declare module 'fs-native-extensions' {
  interface NativeLocks {
    /** False where another open file holds a conflicting lock. @throws Error with the system's `code`. */
    tryLock(descriptor: number, offset: number, length: number, options?: { shared?: boolean }): boolean;
  }
  const locks: NativeLocks;
  export default locks;
}
