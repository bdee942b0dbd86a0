//! The ways to write a short text in upper and lower case.

/// Every way to write the ASCII text in upper and lower case.
pub fn forms(text: &[u8]) -> Vec<Vec<u8>> {
    let mut forms = vec![Vec::new()];
    for byte in text {
        let cases = [byte.to_ascii_lowercase(), byte.to_ascii_uppercase()];
        let cases = if cases[0] == cases[1] { &cases[..1] } else { &cases[..] };
        forms = forms.iter().flat_map(|form| cases.iter().map(|case| [form.as_slice(), &[*case]].concat())).collect();
    }
    forms
}
