/** The package's public door. */
export * from './engine.ts';
