/** @internal Node throws what it can say at once, such as that a port is none. */
export const attempt = (failed: (error: Error) => void, run: () => void): void => {
  try {
    run()
  } catch (error) {
    // What the modules of Node throw is an Error.
    failed(error as Error)
  }
}
