/** The parts of the drawer. */
export type DrawerTab = "payload" | "diff" | "packet" | "journey";
