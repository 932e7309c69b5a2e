//! What WebKitGTK reads from the environment, put right before anything else runs. Does nothing on other systems.

/// Sets variables for the web view, leaving alone what the person has set.
///
/// # Safety
/// Call it before any other thread runs: it changes the environment.
pub unsafe fn prepare() {
    #[cfg(target_os = "linux")]
    // SAFETY: promised by the caller.
    unsafe {
        linux::prepare();
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use std::{env, path::Path};

    /// # Safety
    /// As for [`super::prepare`].
    pub(super) unsafe fn prepare() {
        // Without a graphics card, WebKitGTK's DMA-BUF renderer costs three times the processor and twice the memory.
        if env::var_os("WEBKIT_DISABLE_DMABUF_RENDERER").is_none() && !Path::new("/dev/dri").exists() {
            // SAFETY: promised by the caller.
            unsafe { env::set_var("WEBKIT_DISABLE_DMABUF_RENDERER", "1") };
        }
        // In the C locale the page's language becomes "C", which `Intl` refuses.
        const CATEGORIES: [&str; 3] = ["LC_ALL", "LC_MESSAGES", "LANG"];
        let values = CATEGORIES.map(|name| env::var(name).ok());
        if is_c_locale(&values) {
            for (name, value) in CATEGORIES.iter().zip(values) {
                if value.is_some() {
                    // SAFETY: promised by the caller.
                    unsafe { env::remove_var(name) };
                }
            }
            // SAFETY: promised by the caller.
            unsafe { env::set_var("LANG", "en_US.UTF-8") };
        }
    }

    /// The first category that is set decides, as in POSIX.
    fn is_c_locale(categories: &[Option<String>]) -> bool {
        let decides = categories.iter().flatten().find(|value| !value.is_empty());
        decides.is_none_or(|value| value == "POSIX" || value == "C" || value.starts_with("C."))
    }

    #[cfg(test)]
    mod tests {
        use super::is_c_locale;

        #[test]
        fn the_first_category_that_is_set_decides() {
            let check = |all: &str, messages: &str, lang: &str, expected: bool| {
                let values = [all, messages, lang].map(|value| Some(value.to_owned()));
                assert_eq!(is_c_locale(&values), expected, "{all} {messages} {lang}");
            };
            check("", "", "", true);
            check("", "", "C.UTF-8", true);
            check("POSIX", "", "de_DE.UTF-8", true);
            check("", "", "de_DE.UTF-8", false);
            check("pt_BR.UTF-8", "", "C", false);
            assert!(is_c_locale(&[None, None, None]));
        }
    }
}
