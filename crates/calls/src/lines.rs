//! Rules between calls: one live call a panel, one answered call a device, a repeated tap is the same call.
